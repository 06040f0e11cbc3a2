//! The page that takes a token.

use crate::pages::layout::{Layout, page};
use maud::html;

/// The sign-in page; `wrong` says why the last attempt failed, if one did.
#[must_use]
pub fn sign_in(layout: &Layout, wrong: &str) -> String {
    page(
        layout,
        &html! {
            h1 { "Sign in" }
            @if !wrong.is_empty() {
                p role="alert" class="error" id="wrong" { (wrong) }
            }
            p { "Members, site teams and curators sign in with the token they were given. Everything public can be read without." }
            form method="post" action="/sign-in" {
                label for="token" { "Token" }
                input type="password" id="token" name="token" required autocomplete="current-password"
                    aria-describedby=[(!wrong.is_empty()).then_some("wrong")];
                button { "Sign in" }
            }
        },
    )
}
