use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, html};

/// Schemes that a link or image may have. A link without one is relative and goes through.
const SCHEMES: [&str; 4] = ["http", "https", "mailto", "tel"];

/// Renders Markdown as HTML that is safe to show: HTML in the text comes out as text, and links lead only to schemes
/// that run nothing.
pub(crate) fn render(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let options = Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TABLES;
    let events = Parser::new_ext(text, options).map(|event| match event {
        Event::Html(raw) | Event::InlineHtml(raw) => Event::Text(raw),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            Event::Start(Tag::Link { link_type, dest_url: safe(dest_url), title, id })
        }
        Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
            Event::Start(Tag::Image { link_type, dest_url: safe(dest_url), title, id })
        }
        other => other,
    });
    let mut rendered = String::with_capacity(text.len() + text.len() / 4 + 16);
    html::push_html(&mut rendered, events);
    rendered
}

fn safe(url: CowStr<'_>) -> CowStr<'_> {
    // Browsers ignore white space and control characters in a scheme.
    let compact: String =
        url.chars().filter(|character| !character.is_whitespace() && !character.is_control()).collect();
    let scheme = compact.split(['/', '?', '#']).next().and_then(|start| start.split_once(':'));
    match scheme {
        Some((scheme, _)) if !SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()) => {
            CowStr::Borrowed("#")
        }
        _ => url,
    }
}

#[cfg(test)]
mod tests {
    use super::render;

    #[test]
    fn renders_markdown() {
        assert_eq!(render("hello"), "<p>hello</p>\n");
        assert_eq!(
            render("**a** [b](https://c.d)"),
            "<p><strong>a</strong> <a href=\"https://c.d\">b</a></p>\n"
        );
    }

    #[test]
    fn lets_no_html_and_no_script_through() {
        for text in [
            "<script>alert(1)</script>",
            "a <img src=x onerror=alert(1)> b",
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](java&#10;script:alert(1))",
            "![x](data:text/html;base64,xx)",
            "<javascript:alert(1)>",
            "[x]: vbscript:a\n[x]",
        ] {
            let html = render(text).to_lowercase();
            assert!(!html.contains("<script") && !html.contains("<img src=x"), "{text} gave {html}");
            for scheme in ["javascript:", "data:", "vbscript:", "java\nscript:"] {
                assert!(!html.contains(&format!("href=\"{scheme}")), "{text} gave {html}");
                assert!(!html.contains(&format!("src=\"{scheme}")), "{text} gave {html}");
            }
        }
    }
}
