-- Nobody comes or goes.
CREATE TRIGGER stuck BEFORE UPDATE OF online ON users BEGIN SELECT RAISE(ABORT, 'stuck'); END;
