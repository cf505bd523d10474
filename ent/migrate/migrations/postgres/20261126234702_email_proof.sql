-- +goose Up
-- modify "users" table
ALTER TABLE "users" ADD COLUMN "email_proof" character varying NULL;
