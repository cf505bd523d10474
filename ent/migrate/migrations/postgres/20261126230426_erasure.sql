-- +goose Up
-- modify "invitations" table
ALTER TABLE "invitations" ADD COLUMN "forgotten_at" timestamptz NULL;
-- create index "invitation_ended_by_age" to table: "invitations"
CREATE INDEX "invitation_ended_by_age" ON "invitations" ("updated_at") WHERE (((status)::text <> 'PENDING'::text) AND (forgotten_at IS NULL));
-- modify "users" table
ALTER TABLE "users" ADD COLUMN "erased_at" timestamptz NULL;
