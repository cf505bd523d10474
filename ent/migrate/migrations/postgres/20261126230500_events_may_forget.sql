-- +goose Up
-- The event log is append-only, but it may forget what is personal: an update may empty
-- client_ip and user_agent, and remove the keys addressee and reason of data.
DROP TRIGGER "events_append_only" ON "events";
CREATE TRIGGER "events_append_only" BEFORE DELETE OR TRUNCATE ON "events" FOR EACH STATEMENT EXECUTE FUNCTION "events_append_only"();
CREATE TRIGGER "events_no_update" BEFORE UPDATE ON "events" FOR EACH ROW WHEN (
  (NEW."id", NEW."created_at", NEW."account_id", NEW."seq", NEW."type", NEW."actor_id", NEW."team_id", NEW."subject_id", NEW."request_id")
    IS DISTINCT FROM (OLD."id", OLD."created_at", OLD."account_id", OLD."seq", OLD."type", OLD."actor_id", OLD."team_id", OLD."subject_id", OLD."request_id")
  OR NEW."client_ip" NOT IN ('', OLD."client_ip") OR NEW."user_agent" NOT IN ('', OLD."user_agent")
  OR NEW."data" - 'addressee' - 'reason' IS DISTINCT FROM OLD."data" - 'addressee' - 'reason' OR NOT NEW."data" <@ OLD."data"
) EXECUTE FUNCTION "events_append_only"();
