use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{canonical_combining_class, is_combining_mark};

/// Folds `text` so that spellings a reader takes for the same become equal: lower case, no accents,
/// compatibility forms (full-width letters, ligatures) as their plain ones. Folding twice changes nothing.
///
/// Only accents of Latin, Greek and Cyrillic and the points of Hebrew and Arabic are dropped. Vowel signs of
/// Indic and South-East Asian scripts and the voicing marks of kana are letters to their readers, so they
/// stay.
pub fn fold(text: &str) -> String {
    text.nfkd()
        .filter(|character| !is_accent(*character))
        .flat_map(char::to_lowercase)
        // A capital sigma at the end of a word becomes σ, one written in lower case is ς.
        .map(|character| if character == 'ς' { 'σ' } else { character })
        .nfc()
        .collect()
}

/// The words of `text`, folded, in order, repeats kept.
///
/// A word is a maximal run of letters and digits with their combining marks. Han, kana, Thai, Lao, Khmer and
/// Myanmar are written without spaces, so there each character (with its marks) is a word: searching a part
/// of such a text finds it through the words of the part.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    let mut words = Vec::new();
    if text.is_ascii() {
        // The same without the tables of Unicode.
        let parts = text.split(|character: char| !character.is_ascii_alphanumeric());
        words.extend(parts.filter(|part| !part.is_empty()).map(str::to_ascii_lowercase));
        return words.into_iter();
    }
    let mut word = String::new();
    // Whether `word` is one character of a script without spaces, which takes marks but no second letter.
    let mut complete = false;
    for character in fold(text).chars() {
        let mark = is_combining_mark(character);
        if mark && !word.is_empty() {
            word.push(character);
            continue;
        }
        let letter = character.is_alphanumeric();
        let alone = letter && is_unspaced(character);
        if (complete || alone || !letter) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if letter {
            word.push(character);
        }
        complete = alone;
    }
    if !word.is_empty() {
        words.push(word);
    }
    words.into_iter()
}

/// Whether `character` is a mark that a search should not see.
///
/// By combining class: 10 to 36 are the points of Hebrew, Arabic and Syriac, from 200 the accents. Between
/// are vowels of Thai, Lao and Tibetan; below are nukta, kana voicing and virama.
fn is_accent(character: char) -> bool {
    matches!(canonical_combining_class(character), 10..=36 | 200..)
}

/// Whether `character` belongs to a script written without spaces. Half-width and radical forms are gone
/// after folding.
fn is_unspaced(character: char) -> bool {
    matches!(character,
        '\u{0E00}'..='\u{0EFF}' // Thai, Lao
        | '\u{1000}'..='\u{109F}' | '\u{A9E0}'..='\u{A9FF}' | '\u{AA60}'..='\u{AA7F}' // Myanmar
        | '\u{1780}'..='\u{17FF}' // Khmer
        | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3038}'..='\u{303C}' // Han signs and numerals
        | '\u{3041}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' | '\u{1AFF0}'..='\u{1B16F}' // Hiragana, Katakana
        | '\u{2E80}'..='\u{2FDF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' // Han
        | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

#[cfg(test)]
mod tests {
    use super::{fold, words};

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(words(text).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn folding_drops_case_accents_and_compatibility_forms() {
        for (text, expected) in [
            ("Crème BRÛLÉE", "creme brulee"),
            ("İstanbul", "istanbul"),
            ("ΟΔΟΣ οδος", "οδοσ οδοσ"),
            ("Ｆｕｌｌ ﬁ", "full fi"),
            ("Ёлка", "елка"),
            ("שָׁלוֹם", "שלום"),
            ("مُحَمَّد", "محمد"),
            ("한글", "한글"),
            ("がか", "がか"),
            ("ｶﾞ", "ガ"),
            ("कि", "कि"),
            ("กุ", "กุ"),
        ] {
            assert_eq!(fold(text), expected, "{text}");
            assert_eq!(fold(&fold(text)), fold(text), "{text}");
        }
        assert_eq!(fold("e\u{301}"), fold("\u{e9}"));
        assert_ne!(fold("か"), fold("が"));
    }

    #[test]
    fn words_are_runs_of_letters_and_digits() {
        check("Hello, World-42!", &["hello", "world", "42"]);
        check("  snake_case a@b.com", &["snake", "case", "a", "b", "com"]);
        check("naïve cafe\u{301}s", &["naive", "cafes"]);
        check("a a", &["a", "a"]);
        check("", &[]);
        check("!? 👍 —", &[]);
    }

    #[test]
    fn marks_stay_inside_their_word() {
        check("हिन्दी भाषा", &["हिन्दी", "भाषा"]);
        check("\u{94d}", &[]);
    }

    #[test]
    fn scripts_without_spaces_split_by_character() {
        check("東京タワー", &["東", "京", "タ", "ワ", "ー"]);
        check("abc東京xy", &["abc", "東", "京", "xy"]);
        check("東 京。", &["東", "京"]);
        check("กรุง", &["ก", "รุ", "ง"]);
        check("한국어 좋아", &["한국어", "좋아"]);
    }
}
