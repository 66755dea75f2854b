-- The words of each message, folded and separated by the server, so that both databases index the same words.
-- The tokenizer splits at the spaces between them and nowhere else. Ranking and phrases need detail = full: without
-- positions and without content every score would be 0.
CREATE VIRTUAL TABLE message_words USING fts5 (
    words,
    content = '',
    contentless_delete = 1,
    tokenize = 'ascii'
);

-- Measured with messages of 12 words in transactions of 64, per message: 24 µs here and 17 µs for search_words.
-- With automerge 4, 8 and 64 for crisismerge the mean is the same; 8 has the smallest transactions at the 99th
-- percentile (7 ms instead of 15 and 24).
INSERT INTO message_words (message_words, rank) VALUES ('automerge', 8);

-- With messages_of_channel this covers all messages of a channel.
CREATE INDEX messages_outside_channel ON messages (channel_pk, created_at) WHERE NOT in_channel;
