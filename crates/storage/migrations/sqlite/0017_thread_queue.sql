-- Something new came while a large thread's participants were being brought up to date: they are gone through again.
ALTER TABLE thread_queue ADD COLUMN again BOOLEAN NOT NULL DEFAULT FALSE;
