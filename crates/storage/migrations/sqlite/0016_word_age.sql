-- When a word was last seen in a message that was indexed, within a day: words that no message has are taken off the list.
ALTER TABLE search_words ADD COLUMN listed_at INTEGER NOT NULL DEFAULT 0;
