-- +goose Up
-- add column "email_proof" to table: "users"
ALTER TABLE `users` ADD COLUMN `email_proof` text NULL;
