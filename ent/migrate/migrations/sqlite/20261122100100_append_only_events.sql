-- +goose Up
-- The event log is append-only, whoever asks.
-- +goose StatementBegin
CREATE TRIGGER `events_no_update` BEFORE UPDATE ON `events` BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER `events_no_delete` BEFORE DELETE ON `events` BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
-- +goose StatementEnd
-- REPLACE deletes without the trigger above, so an existing row is refused here.
-- +goose StatementBegin
CREATE TRIGGER `events_no_replace` BEFORE INSERT ON `events` WHEN EXISTS (SELECT 1 FROM `events` WHERE `id` = NEW.`id` OR `account_id` = NEW.`account_id` AND `seq` = NEW.`seq`) BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
-- +goose StatementEnd
