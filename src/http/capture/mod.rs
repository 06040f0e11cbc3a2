//! Where people write: their drafts and those to review, case studies, the
//! data-collection tool, spreadsheets, and the same as an API. Not for what
//! drafts are: `capture` knows that.

mod alike;
mod api;
mod case_study;
mod import;
mod questionnaire;
mod review;
mod shown;

pub(super) use alike::alike;
pub(super) use api::{
    api_case_study, api_case_study_form, api_drafts, api_questionnaire, api_save_case_study,
    api_save_questionnaire, api_write_case_study,
};
pub(super) use case_study::{
    edit_case_study, new_case_study, save_case_study, save_new_case_study,
};
pub(super) use import::{
    case_study_template, import_case_studies, import_case_studies_page, questionnaire_import,
    questionnaire_import_page, questionnaire_template,
};
pub(super) use questionnaire::{
    questionnaire_overview, questionnaire_part, save_questionnaire_part,
};
pub(super) use review::{act_on_draft, draft_page, drafts_page, refuse_unfinished};
