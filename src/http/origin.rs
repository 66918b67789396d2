//! Pages of other sites: what a browser may ask on their behalf, and what it may tell them.
//!
//! Two attacks are met here. A page of another site sends a form or a `fetch` to a service on the machine of its reader; the browser
//! names the page in `Origin`. Or the page's own name is made to point at this machine (DNS rebinding), so that the browser takes the
//! service for the page's site; then only `Host` tells.
//!
//! What surprises: nothing here concerns a client that is no browser. `Origin` and `Host` are what a browser will not let a page forge;
//! anybody else writes into them what they like, and gains nothing by it.

use std::net::{Ipv4Addr, Ipv6Addr};

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};

use super::error::{Code, Refusal};

/// What a page that is let in may send.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";

/// For how long a browser may remember what it was told, in seconds.
const REMEMBERED_S: &str = "600";

/// Whether a page may ask: our own pages, those of origins that are let in, and any that only reads without seeing the answer.
pub(super) fn check(http: &HttpRequest, allowed: &[String]) -> Result<(), Refusal> {
    let reads = matches!(*http.method(), Method::GET | Method::HEAD);
    let Some(origin) = http.headers().get(header::ORIGIN) else { return Ok(()) };
    let is_own = is_own(origin, http.headers()) || browser_says_own(http.headers());
    if reads || is_own || answer_to(origin, allowed).is_some() {
        return Ok(());
    }
    let origin = String::from_utf8_lossy(origin.as_bytes()).into_owned();
    Err(Refusal::new(Code::ForeignOrigin, "a page of another site asked for this")
        .at("origin")
        .value(&origin)
        .hint("nigh serve --cors ORIGIN lets a site in"))
}

/// Whether a browser was led here by a name that may be anybody's. Only asked where there are no keys.
pub(super) fn check_host(http: &HttpRequest, names: &[String]) -> Result<(), Refusal> {
    if !is_browser(http.headers()) {
        return Ok(());
    }
    let host = http.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = without_port(host);
    let local = name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost");
    let number = name.parse::<Ipv4Addr>().is_ok() || name.trim_matches(['[', ']']).parse::<Ipv6Addr>().is_ok();
    if local || number || names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        return Ok(());
    }
    Err(Refusal::new(Code::ForeignOrigin, format!("{name:?} is no name that this service knows itself by"))
        .at("host")
        .value(host)
        .hint("nigh serve --host-name NAME lets browsers call it so; so do keys"))
}

/// A page cannot keep its browser from sending all three of these.
fn is_browser(headers: &HeaderMap) -> bool {
    let agent = headers.get(header::USER_AGENT).map(HeaderValue::as_bytes).unwrap_or_default();
    headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site") || agent.starts_with(b"Mozilla/")
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Whether an origin is this service, as the client named it. The scheme is left out: behind what ends TLS we do not know our own.
fn is_own(origin: &HeaderValue, headers: &HeaderMap) -> bool {
    let (Ok(origin), Some(Ok(host))) = (origin.to_str(), headers.get(header::HOST).map(HeaderValue::to_str)) else {
        return false;
    };
    origin.split_once("://").is_some_and(|(scheme, authority)| {
        let usual = match scheme {
            "http" => ":80",
            "https" => ":443",
            _ => return false,
        };
        let plain = |text: &str| text.strip_suffix(usual).unwrap_or(text).to_ascii_lowercase();
        plain(authority) == plain(host)
    })
}

/// Whether the browser itself says that page and service are of one origin, which it knows whatever name a proxy between them puts
/// into `Host`. No page can write this header. Browsers send it over TLS and to `localhost`.
fn browser_says_own(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site == "same-origin")
}

/// What `access-control-allow-origin` says to an origin; nothing, if it is not let in.
fn answer_to(origin: &HeaderValue, allowed: &[String]) -> Option<HeaderValue> {
    if allowed.iter().any(|allowed| allowed == "*") {
        return Some(HeaderValue::from_static("*"));
    }
    let known = |allowed: &String| allowed.as_bytes().eq_ignore_ascii_case(origin.as_bytes());
    allowed.iter().any(known).then(|| origin.clone())
}

/// Lets the page that asked see the answer, if its origin is let in.
pub(super) fn show(headers: &HeaderMap, allowed: &[String], response: &mut HttpResponse) {
    if allowed.is_empty() {
        return;
    }
    let told = response.headers_mut();
    // A store between us must not give one origin what was written for another.
    told.append(header::VARY, HeaderValue::from_static("origin"));
    let Some(answer) = headers.get(header::ORIGIN).and_then(|origin| answer_to(origin, allowed)) else { return };
    told.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, answer);
    told.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*"));
}

/// The answer to a browser that asks whether it may ask.
pub(super) fn preflight(http: &HttpRequest, allowed: &[String]) -> Option<HttpResponse> {
    let headers = http.headers();
    let asked = *http.method() == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let answer = headers.get(header::ORIGIN).and_then(|origin| answer_to(origin, allowed));
    if !asked || answer.is_none() {
        return None;
    }
    let mut response = HttpResponse::new(StatusCode::NO_CONTENT);
    let told = response.headers_mut();
    let mut tell = |name: HeaderName, value: &'static str| told.insert(name, HeaderValue::from_static(value));
    tell(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    tell(header::ACCESS_CONTROL_MAX_AGE, REMEMBERED_S);
    if let Some(wanted) = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        told.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    Some(response)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn asked(method: Method, headers: &[(&'static str, &str)]) -> HttpRequest {
        let request = TestRequest::default().method(method);
        headers.iter().fold(request, |request, header| request.insert_header(*header)).to_http_request()
    }

    #[test]
    fn a_foreign_page_may_not_write() {
        let allowed = vec!["https://a.example".to_owned()];
        for (origin, host, fine) in [
            ("http://localhost:6444", "localhost:6444", true),
            ("http://LOCALHOST", "localhost:80", true),
            ("https://geo.example", "geo.example", true),
            ("https://a.example", "localhost:6444", true),
            ("https://evil.example", "localhost:6444", false),
            ("http://localhost:3000", "localhost:6444", false),
            ("https://a.example.evil.example", "localhost:6444", false),
            ("null", "localhost:6444", false),
            ("file://", "", false),
        ] {
            let headers = [("origin", origin), ("host", host)];
            assert_eq!(check(&asked(Method::PUT, &headers), &allowed).is_ok(), fine, "{origin} at {host}");
            assert!(check(&asked(Method::GET, &headers), &allowed).is_ok());
        }
        assert!(check(&asked(Method::PUT, &[("host", "x")]), &[]).is_ok(), "no browser");
    }

    #[test]
    fn behind_a_proxy_that_names_the_service_otherwise_the_browser_is_believed() {
        for (site, fine) in
            [("same-origin", true), ("same-site", false), ("cross-site", false), ("none", false), ("", false)]
        {
            let headers = [("origin", "https://geo.example"), ("host", "127.0.0.1:6444"), ("sec-fetch-site", site)];
            assert_eq!(check(&asked(Method::POST, &headers), &[]).is_ok(), fine, "{site}");
        }
    }

    #[test]
    fn a_browser_must_know_the_service_by_a_name_of_its_own() {
        let names = vec!["geo.example".to_owned()];
        for (host, fine) in [
            ("localhost:6444", true),
            ("map.localhost", true),
            ("127.0.0.1:6444", true),
            ("[::1]:6444", true),
            ("192.168.1.7", true),
            ("GEO.example:443", true),
            ("evil.example:6444", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("", false),
        ] {
            let found = |header| check_host(&asked(Method::GET, &[("host", host), header]), &names).is_ok();
            assert_eq!(found(("sec-fetch-site", "same-origin")), fine, "{host}");
            assert_eq!(found(("user-agent", "Mozilla/5.0 (X11)")), fine, "{host}");
            assert_eq!(found(("origin", "http://evil.example:6444")), fine, "{host}");
            assert!(found(("user-agent", "curl/8.5.0")), "{host}: no browser");
        }
    }

    #[test]
    fn only_an_origin_that_is_let_in_is_told_so() {
        let allowed = vec!["https://a.example".to_owned()];
        let ask = |origin| {
            let headers = [("origin", origin), ("access-control-request-method", "PUT")];
            preflight(&asked(Method::OPTIONS, &headers), &allowed).is_some()
        };
        assert_eq!((ask("https://a.example"), ask("https://b.example")), (true, false));
        let any = vec!["*".to_owned()];
        let request = asked(Method::GET, &[("origin", "https://b.example")]);
        let mut response = HttpResponse::new(StatusCode::OK);
        show(request.headers(), &any, &mut response);
        assert_eq!(response.headers().get(header::ACCESS_CONTROL_ALLOW_ORIGIN).unwrap(), "*");
    }
}
