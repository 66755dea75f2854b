-- Nobody comes or goes.
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'stuck'; END $$;
CREATE TRIGGER stuck BEFORE UPDATE OF online ON users FOR EACH ROW EXECUTE FUNCTION refuse();
