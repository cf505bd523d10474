-- +goose Up
-- The event log is append-only, but it may forget what is personal: an update may empty
-- client_ip and user_agent, and remove the keys addressee and reason of data.
DROP TRIGGER `events_no_update`;
-- +goose StatementBegin
CREATE TRIGGER `events_no_update` BEFORE UPDATE ON `events`
WHEN NEW.`id` IS NOT OLD.`id` OR NEW.`created_at` IS NOT OLD.`created_at` OR NEW.`account_id` IS NOT OLD.`account_id`
  OR NEW.`seq` IS NOT OLD.`seq` OR NEW.`type` IS NOT OLD.`type` OR NEW.`actor_id` IS NOT OLD.`actor_id`
  OR NEW.`team_id` IS NOT OLD.`team_id` OR NEW.`subject_id` IS NOT OLD.`subject_id` OR NEW.`request_id` IS NOT OLD.`request_id`
  OR NEW.`client_ip` NOT IN ('', OLD.`client_ip`) OR NEW.`user_agent` NOT IN ('', OLD.`user_agent`)
  OR EXISTS (SELECT 1 FROM json_each(CAST(NEW.`data` AS TEXT)) n WHERE NOT EXISTS (
    SELECT 1 FROM json_each(CAST(OLD.`data` AS TEXT)) o WHERE o.`key` = n.`key` AND o.`value` IS n.`value`))
  OR EXISTS (SELECT 1 FROM json_each(CAST(OLD.`data` AS TEXT)) o WHERE o.`key` NOT IN ('addressee', 'reason') AND NOT EXISTS (
    SELECT 1 FROM json_each(CAST(NEW.`data` AS TEXT)) n WHERE n.`key` = o.`key`))
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
-- +goose StatementEnd
