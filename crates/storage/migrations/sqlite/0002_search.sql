-- The words of each message, folded and separated by the server, so that both databases index the same words.
CREATE VIRTUAL TABLE message_words USING fts5 (
    words,
    content = '',
    contentless_delete = 1,
    tokenize = "unicode61 remove_diacritics 0"
);
