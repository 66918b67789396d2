//! What a browser may do for the map page: run our scripts, ask this service, and nothing else.
//!
//! What surprises: styles need no exception. The map sets the styles of its elements through the object model, which the policy lets
//! scripts do that it lets run.

/// The policy, for a page that draws the user's own style, if there is one, from its origin and some more.
pub(super) fn of(map_style: Option<&str>, origins: &[String]) -> String {
    let mut others = String::new();
    for origin in map_style.map(origin_of).into_iter().chain(origins.iter().map(String::as_str)) {
        others.push(' ');
        others.push_str(origin);
    }
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; worker-src 'self'; connect-src 'self'{others}; \
         img-src 'self' data: blob:{others}; font-src 'self'{others}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// Scheme, host and port of an address.
fn origin_of(url: &str) -> &str {
    let begins = url.find("://").map_or(0, |at| at + 3);
    let ends = url[begins..].find(['/', '?', '#']).map_or(url.len(), |at| begins + at);
    &url[..ends]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_asked_for_is_let_in_beside_us() {
        let alone = of(None, &[]);
        assert!(!alone.contains("http") && !alone.contains("unsafe") && !alone.contains('*'), "{alone}");
        let styled = of(Some("https://tiles.example:8443/a/style.json?key=1"), &["https://fonts.example".to_owned()]);
        let parts: Vec<&str> = styled.split("; ").collect();
        let both = " https://tiles.example:8443 https://fonts.example";
        for part in [
            format!("connect-src 'self'{both}"),
            format!("img-src 'self' data: blob:{both}"),
            format!("font-src 'self'{both}"),
            "script-src 'self'".to_owned(),
            "default-src 'none'".to_owned(),
            "frame-ancestors 'none'".to_owned(),
        ] {
            assert!(parts.contains(&part.as_str()), "{part} in {styled}");
        }
        assert_eq!(origin_of("http://a.example?x=/"), "http://a.example");
    }
}
