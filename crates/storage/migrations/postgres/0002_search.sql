-- The words of each message, folded and separated by the server, so that both databases index the same words.
CREATE TABLE message_words (
    message_pk BIGINT PRIMARY KEY,
    words TSVECTOR NOT NULL
);

CREATE INDEX message_words_index ON message_words USING GIN (words);

-- With messages_of_channel this covers all messages of a channel.
CREATE INDEX messages_outside_channel ON messages (channel_pk, created_at) WHERE NOT in_channel;
