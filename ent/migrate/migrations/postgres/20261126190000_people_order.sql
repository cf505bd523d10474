-- +goose Up
-- modify "invitations" table
ALTER TABLE "invitations" ADD COLUMN "sort_name" character varying COLLATE "C" NOT NULL DEFAULT '';
-- Lists of people merge members and invitations in the program, which compares texts by their bytes. The columns
-- that such lists are sorted by must do the same, whatever the database's language.
ALTER TABLE "invitations" ALTER COLUMN "email_key" TYPE character varying COLLATE "C";
ALTER TABLE "members" ALTER COLUMN "email_key" TYPE character varying COLLATE "C", ALTER COLUMN "sort_name" TYPE character varying COLLATE "C";
-- create index "invitation_listed" to table: "invitations"
CREATE INDEX "invitation_listed" ON "invitations" ("team_id", "id") WHERE status IN ('PENDING', 'EXPIRED') AND NOT superseded;
-- create index "invitation_listed_by_created_at" to table: "invitations"
CREATE INDEX "invitation_listed_by_created_at" ON "invitations" ("team_id", "created_at", "id") WHERE status IN ('PENDING', 'EXPIRED') AND NOT superseded;
-- create index "invitation_listed_by_email_key" to table: "invitations"
CREATE INDEX "invitation_listed_by_email_key" ON "invitations" ("team_id", "email_key", "id") WHERE status IN ('PENDING', 'EXPIRED') AND NOT superseded;
-- create index "invitation_listed_by_sort_name" to table: "invitations"
CREATE INDEX "invitation_listed_by_sort_name" ON "invitations" ("team_id", "sort_name", "id") WHERE status IN ('PENDING', 'EXPIRED') AND NOT superseded;
