//! The page that takes a token.

use crate::pages::layout::{Layout, page};
use maud::html;

/// The sign-in page; `wrong` says why the last attempt failed, if one did.
#[must_use]
pub fn sign_in(layout: &Layout, wrong: &str) -> String {
    let failed = !wrong.is_empty();
    page(
        layout,
        &html! {
            h1 class="nhsuk-heading-l" { "Sign in" }
            p class="nhsuk-body-l" { "Members, site teams and curators sign in with the token they were given. Everything public can be read without." }
            form method="post" action="/sign-in" {
                div class=(if failed { "nhsuk-form-group nhsuk-form-group--error" } else { "nhsuk-form-group" }) {
                    label class="nhsuk-label nhsuk-label--s" for="token" { "Token" }
                    @if failed { p class="nhsuk-error-message" role="alert" id="wrong" { (wrong) } }
                    input class="nhsuk-input nhsuk-input--width-30" type="password" id="token" name="token" required autocomplete="current-password"
                        aria-describedby=[failed.then_some("wrong")];
                }
                button class="nhsuk-button" type="submit" { "Sign in" }
            }
        },
    )
}
