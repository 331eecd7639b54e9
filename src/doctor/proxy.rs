//! The proxies that the environment names, and whether the server is asked through one. Accounts in their addresses are not
//! shown.
use super::{Area, Check, without_account};
use crate::{
    net::{Endpoint, Route},
    text::Untrusted,
};

/// Every variable that names a proxy or excepts hosts, each before the one that it hides.
const VARIABLES: [[&str; 2]; 4] =
    [["HTTPS_PROXY", "https_proxy"], ["HTTP_PROXY", "http_proxy"], ["ALL_PROXY", "all_proxy"], ["NO_PROXY", "no_proxy"]];

/// What is set, and what comes of it for this server.
pub fn proxies(endpoint: &Endpoint) -> Vec<Check> {
    let mut all = variables(&|name| std::env::var_os(name).map(|v| v.to_string_lossy().into_owned()));
    let named = !all.is_empty();
    all.extend(match &endpoint.route {
        Route::Proxy(address) => {
            let address = without_account(address.raw());
            let text = format!("it is asked through the proxy {address}, so name and port were not tried from here");
            Some(Check::info(Area::Server, text))
        }
        Route::Excepted => Some(Check::good(Area::Server, "it is asked without a proxy, because NO_PROXY excepts it")),
        Route::Direct if named => Some(Check::good(
            Area::Server,
            "it is asked without a proxy: none is named for its kind of address, or it is on this machine, or the settings say so",
        )),
        Route::Direct => None,
    });
    all
}

fn variables(value: &dyn Fn(&str) -> Option<String>) -> Vec<Check> {
    let mut all = Vec::new();
    for names in VARIABLES {
        let mut first = None;
        for name in names {
            let Some(value) = value(name) else { continue };
            let text = match (first, value.is_empty()) {
                (Some(first), _) => format!("{name} is set, and {first} counts in its place"),
                (None, true) => format!("{name} is set to nothing"),
                // A list of hosts has no account.
                (None, false) if name.eq_ignore_ascii_case("NO_PROXY") => format!("{name}: {value}"),
                (None, false) => format!("{name}: {}", without_account(&value)),
            };
            first.get_or_insert(name);
            all.push(Check::good(Area::Server, Untrusted::new(text).shown().to_string()));
        }
    }
    // One that only hides nothing says nothing.
    all.retain(|c| !c.text.ends_with("is set to nothing"));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_named_without_the_account_in_its_address_and_one_that_is_hidden_by_what_hides_it() {
        let set = [
            ("HTTPS_PROXY", "http://me:secret@proxy.example:3128"),
            ("https_proxy", "http://other:secret@hidden.example"),
            ("all_proxy", "me:secret@socks.example:1080"),
            ("NO_PROXY", "localhost,.example\u{1b}[2J"),
        ];
        let said = variables(&|name| set.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()));
        let said: Vec<&str> = said.iter().map(|c| c.text.as_str()).collect();
        assert_eq!(
            said,
            [
                "HTTPS_PROXY: http://proxy.example:3128",
                "https_proxy is set, and HTTPS_PROXY counts in its place",
                "all_proxy: socks.example:1080",
                "NO_PROXY: localhost,.example<1b>[2J"
            ]
        );
        assert!(variables(&|_| None).is_empty());
    }
}
