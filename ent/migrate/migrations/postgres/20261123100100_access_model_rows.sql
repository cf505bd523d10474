-- +goose Up
-- Join tables are looked through from both ends; the schema's own key serves one.
CREATE INDEX IF NOT EXISTS "member_roles_by_role" ON "member_roles" ("role_id");
CREATE INDEX IF NOT EXISTS "invitation_roles_by_role" ON "invitation_roles" ("role_id");
CREATE INDEX IF NOT EXISTS "group_roles_by_role" ON "group_roles" ("role_id");
CREATE INDEX IF NOT EXISTS "member_groups_by_group" ON "member_groups" ("group_id");
CREATE INDEX IF NOT EXISTS "invitation_groups_by_group" ON "invitation_groups" ("group_id");
CREATE INDEX IF NOT EXISTS "member_divisions_by_division" ON "member_divisions" ("division_id");
CREATE INDEX IF NOT EXISTS "invitation_divisions_by_division" ON "invitation_divisions" ("division_id");
-- What the new columns say of the rows there are.
UPDATE "members" SET
  "email_key" = (SELECT u."email_key" FROM "users" AS u WHERE u."id" = "members"."user_id"),
  "sort_name" = (SELECT lower(CASE WHEN u."first_name" || u."last_name" = '' THEN u."email_key" ELSE trim(u."first_name" || ' ' || u."last_name") END) FROM "users" AS u WHERE u."id" = "members"."user_id"),
  "search" = (SELECT lower(u."email" || ' ' || u."first_name" || ' ' || u."last_name") FROM "users" AS u WHERE u."id" = "members"."user_id"),
  "seen_unix" = COALESCE((SELECT CAST(extract(epoch FROM u."last_seen_at") AS bigint) FROM "users" AS u WHERE u."id" = "members"."user_id"), 0);
UPDATE "invitations" SET
  "granter_id" = COALESCE("inviter_id", ''),
  "search" = lower("email" || ' ' || "first_name" || ' ' || "last_name");
UPDATE "invitations" SET "superseded" = true
  WHERE "status" = 'EXPIRED' AND EXISTS (SELECT 1 FROM "invitations" AS n
    WHERE n."team_id" = "invitations"."team_id" AND n."email_key" = "invitations"."email_key" AND n."created_at" > "invitations"."created_at");
UPDATE "teams" SET
  "active_members" = (SELECT COUNT(*) FROM "members" AS m WHERE m."team_id" = "teams"."id" AND m."status" = 'ACTIVE'),
  "deactivated_members" = (SELECT COUNT(*) FROM "members" AS m WHERE m."team_id" = "teams"."id" AND m."status" = 'DEACTIVATED'),
  "pending_invitations" = (SELECT COUNT(*) FROM "invitations" AS i WHERE i."team_id" = "teams"."id" AND i."status" = 'PENDING'),
  "expired_invitations" = (SELECT COUNT(*) FROM "invitations" AS i WHERE i."team_id" = "teams"."id" AND i."status" = 'EXPIRED' AND NOT i."superseded"),
  "all_invitations" = (SELECT COUNT(*) FROM "invitations" AS i WHERE i."team_id" = "teams"."id");
