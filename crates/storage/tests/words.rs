//! PostgreSQL separates words as the server does.

#![allow(clippy::unwrap_used)]

mod databases;

use databases::Databases;
use natterjack_filter::words;

/// Code points whose answer may differ: PostgreSQL 15 normalizes by Unicode 14, which lacks newer letters, and composes
/// some that are nobody's with the letter before them.
const UNKNOWN_MAX: usize = 200;
/// Everything below is old enough to be known.
const KNOWN: std::ops::Range<char> = '\0'..'\u{557}';

/// Of large uniform scripts and of the empty planes a sample will do.
fn is_tried(character: char) -> bool {
    match character {
        '\u{3400}'..='\u{A000}' | '\u{AC00}'..='\u{F8FF}' | '\u{12000}'..='\u{19FFF}' | '\u{20000}'.. => {
            (character as u32).is_multiple_of(97)
        }
        _ => true,
    }
}

#[tokio::test]
async fn every_character_separates_and_folds_alike() {
    let databases = Databases::open().await;
    let (client, connection) =
        tokio_postgres::connect(&databases.postgres_url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let separate = client.prepare("SELECT natterjack_words($1)").await.unwrap();
    let differs = async |text: String| {
        let theirs: Vec<String> = client.query_one(&separate, &[&text]).await.unwrap().get(0);
        theirs != words(&text).collect::<Vec<_>>()
    };
    // Inside a word, and behind a space.
    let sample = |character: &char| format!("a{character}B {character}c. ");
    let characters: Vec<char> = ('\u{1}'..=char::MAX).filter(|one| is_tried(*one)).collect();
    let mut different = Vec::new();
    for chunk in characters.chunks(256) {
        if differs(chunk.iter().map(sample).collect()).await {
            for character in chunk {
                if differs(sample(character)).await {
                    different.push(*character);
                }
            }
        }
    }
    assert!(different.len() <= UNKNOWN_MAX, "{} differ: {different:?}", different.len());
    assert!(!different.iter().any(|one| KNOWN.contains(one)), "{different:?}");
    databases.close().await;
}
