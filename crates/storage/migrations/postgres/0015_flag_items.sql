-- All flags of one thing, by the id that they share, the earliest first.
CREATE INDEX flags_by_item ON flags (app_pk, item_id, pk);
