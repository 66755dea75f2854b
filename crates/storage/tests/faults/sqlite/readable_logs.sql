-- Takes back that logs cannot be read.
DROP VIEW channel_events;
ALTER TABLE written_events RENAME TO channel_events;
