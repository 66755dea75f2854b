use natterjack_filter::limits::SORT_FIELDS_MAX;
use natterjack_filter::{parse, parse_sort};
use natterjack_protocol::channels::{ParsedPredefinedFilterResponse, QueryChannelsRequest};
use natterjack_protocol::predefined_filters::{
    CreatePredefinedFilterRequest, PredefinedFilter, QUERY_CHANNELS, UpdatePredefinedFilterRequest,
};
use natterjack_protocol::{JsonMap, SortParam};
use natterjack_storage::queries::CHANNELS;
use serde_json::Value;

use super::{check_count, check_length, check_size, given};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::{
    DESCRIPTION_LENGTH_MAX, NAME_LENGTH_MAX, PREDEFINED_FILTER_SIZE_MAX, PREDEFINED_FILTERS_MAX,
};
use crate::state::State;

/// The app's stored filters.
pub(crate) async fn list_predefined_filters(state: &State, caller: &Caller) -> Result<Vec<PredefinedFilter>> {
    let listed = state.store.read("list_predefined_filters", caller.app.pk, |tx, app_pk| {
        Box::pin(tx.list_predefined_filters(*app_pk, PREDEFINED_FILTERS_MAX))
    });
    Ok(listed.await?)
}

/// One stored filter.
pub(crate) async fn get_predefined_filter(
    state: &State,
    caller: &Caller,
    name: &str,
) -> Result<PredefinedFilter> {
    find(state, caller, name).await?.ok_or_else(|| not_found(name))
}

async fn find(state: &State, caller: &Caller, name: &str) -> Result<Option<PredefinedFilter>> {
    let found =
        state.store.read("find_predefined_filter", (caller.app.pk, name.to_owned()), |tx, (app_pk, name)| {
            Box::pin(tx.find_predefined_filter(*app_pk, name))
        });
    Ok(found.await?)
}

fn not_found(name: &str) -> Error {
    Error::not_found("predefined filter", name)
}

/// Stores a filter.
pub(crate) async fn create_predefined_filter(
    state: &State,
    caller: &Caller,
    request: CreatePredefinedFilterRequest,
) -> Result<PredefinedFilter> {
    let name = given(request.name.as_ref()).ok_or_else(|| Error::required("name"))?.to_owned();
    check_length("name", &name, NAME_LENGTH_MAX)?;
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) {
        return Err(Error::field("name", "may hold letters a-z and A-Z, digits, _ and -"));
    }
    if given(request.operation.as_ref()).is_none() {
        return Err(Error::required("operation"));
    }
    let now = state.now();
    let filter =
        PredefinedFilter { name, created_at: now, updated_at: now, ..check(request_parts(request))? };
    let stored = state
        .store
        .write("create_predefined_filter", (caller.app.pk, filter), |tx, (app_pk, filter)| {
            Box::pin(async move {
                if tx.insert_predefined_filter(*app_pk, filter, PREDEFINED_FILTERS_MAX).await? {
                    return Ok(filter.clone());
                }
                let is_taken = tx.find_predefined_filter(*app_pk, &filter.name).await?.is_some();
                Err(if is_taken {
                    let name = &filter.name;
                    Error::field("name", format!("is taken: a predefined filter {name} already exists"))
                } else {
                    Error::input(format!("an app has at most {PREDEFINED_FILTERS_MAX} predefined filters"))
                })
            })
        })
        .await?;
    Ok(stored)
}

fn request_parts(request: CreatePredefinedFilterRequest) -> UpdatePredefinedFilterRequest {
    let CreatePredefinedFilterRequest { name: _, operation, filter, sort, description } = request;
    UpdatePredefinedFilterRequest { operation, filter, sort, description }
}

/// Replaces a stored filter.
pub(crate) async fn update_predefined_filter(
    state: &State,
    caller: &Caller,
    name: &str,
    request: UpdatePredefinedFilterRequest,
) -> Result<PredefinedFilter> {
    let filter = PredefinedFilter { name: name.to_owned(), ..check(request)? };
    let updated = state
        .store
        .write(
            "update_predefined_filter",
            (caller.app.pk, filter, state.now()),
            |tx, (app_pk, filter, now)| Box::pin(tx.update_predefined_filter(*app_pk, filter, *now)),
        )
        .await?;
    updated.ok_or_else(|| not_found(name))
}

/// Removes a stored filter.
pub(crate) async fn delete_predefined_filter(state: &State, caller: &Caller, name: &str) -> Result<()> {
    let deleted = state
        .store
        .write("delete_predefined_filter", (caller.app.pk, name.to_owned()), |tx, (app_pk, name)| {
            Box::pin(tx.delete_predefined_filter(*app_pk, name))
        })
        .await?;
    if deleted { Ok(()) } else { Err(not_found(name)) }
}

/// Checks what a stored filter holds. One without placeholders must be valid as it stands.
fn check(request: UpdatePredefinedFilterRequest) -> Result<PredefinedFilter> {
    match given(request.operation.as_ref()) {
        None | Some(QUERY_CHANNELS) => {}
        Some(_) => return Err(Error::field("operation", format!("must be {QUERY_CHANNELS}"))),
    }
    let filter = request.filter.ok_or_else(|| Error::required("filter"))?;
    let description = request.description.unwrap_or_default();
    check_length("description", &description, DESCRIPTION_LENGTH_MAX)?;
    check_size("filter", &(&filter, &request.sort), PREDEFINED_FILTER_SIZE_MAX)?;
    check_count("sort", request.sort.len(), SORT_FIELDS_MAX)?;
    let none = JsonMap::new();
    let filled_in = Placeholders { field: "filter_values", values: &none }.fill_in_map(&filter);
    if let Ok(filter) = filled_in {
        parse(&CHANNELS, &filter).map_err(|error| Error::filter("filter", &error))?;
    }
    let filled_in = Placeholders { field: "sort_values", values: &none }.fill_in_sort(&request.sort);
    if let Ok(sort) = filled_in {
        parse_sort(&CHANNELS, &sort, SORT_FIELDS_MAX).map_err(|error| Error::filter("sort", &error))?;
    }
    Ok(PredefinedFilter {
        operation: QUERY_CHANNELS.to_owned(),
        filter,
        sort: request.sort,
        description,
        ..PredefinedFilter::default()
    })
}

/// The stored filter that a query names, with the query's values in place of the placeholders. `None` when it names
/// none.
pub(crate) async fn fill_in(
    state: &State,
    caller: &Caller,
    request: &QueryChannelsRequest,
) -> Result<Option<ParsedPredefinedFilterResponse>> {
    let Some(name) = given(request.predefined_filter.as_ref()) else { return Ok(None) };
    for (field, is_given) in
        [("filter_conditions", !request.filter_conditions.is_empty()), ("sort", !request.sort.is_empty())]
    {
        if is_given {
            return Err(Error::field(field, "cannot be used together with predefined_filter"));
        }
    }
    let stored = find(state, caller, name).await?.ok_or_else(|| {
        Error::field("predefined_filter", format!("names a filter that doesn't exist: {name}"))
    })?;
    let filter = Placeholders { field: "filter_values", values: &request.filter_values }
        .fill_in_map(&stored.filter)?;
    let sort =
        Placeholders { field: "sort_values", values: &request.sort_values }.fill_in_sort(&stored.sort)?;
    Ok(Some(ParsedPredefinedFilterResponse { name: stored.name, filter, sort: Some(sort) }))
}

/// Values for placeholders, and the field of the request that they stand in.
struct Placeholders<'a> {
    field: &'static str,
    values: &'a JsonMap,
}

impl Placeholders<'_> {
    fn fill_in_map(&self, map: &JsonMap) -> Result<JsonMap> {
        map.iter().map(|(key, value)| Ok((key.clone(), self.fill_in_value(value)?))).collect()
    }

    /// Goes as deep as the JSON does, which the reader of bodies bounds.
    fn fill_in_value(&self, value: &Value) -> Result<Value> {
        match value {
            Value::Object(map) => self.fill_in_map(map).map(Value::Object),
            Value::Array(list) => {
                list.iter().map(|value| self.fill_in_value(value)).collect::<Result<_>>().map(Value::Array)
            }
            Value::String(text) => self.fill_in_text(text),
            plain => Ok(plain.clone()),
        }
    }

    fn fill_in_sort(&self, sort: &[SortParam]) -> Result<Vec<SortParam>> {
        sort.iter()
            .map(|entry| {
                let field = match &entry.field {
                    None => None,
                    Some(field) => match self.fill_in_text(field)? {
                        Value::String(field) => Some(field),
                        _ => return Err(Error::field(self.field, "must give texts as names of fields")),
                    },
                };
                Ok(SortParam { field, ..entry.clone() })
            })
            .collect()
    }

    /// A text that is one placeholder becomes its value; others take the values in as text.
    fn fill_in_text(&self, text: &str) -> Result<Value> {
        let Some((before, name, after)) = placeholder(text) else {
            return Ok(Value::String(text.to_owned()));
        };
        if before.trim().is_empty() && after.trim().is_empty() {
            return self.value(name).cloned();
        }
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, name, after)) = placeholder(rest) {
            filled.push_str(before);
            match self.value(name)? {
                Value::String(text) => filled.push_str(text),
                Value::Number(number) => filled.push_str(&number.to_string()),
                Value::Bool(truth) => filled.push_str(&truth.to_string()),
                _ => {
                    return Err(Error::field(
                        &format!("{}.{name}", self.field),
                        "must be a text, a number or a boolean: it stands within a text",
                    ));
                }
            }
            rest = after;
        }
        filled.push_str(rest);
        Ok(Value::String(filled))
    }

    fn value(&self, name: &str) -> Result<&Value> {
        self.values
            .get(name)
            .ok_or_else(|| Error::field(self.field, format!("has no value for the placeholder {name:?}")))
    }
}

/// The first `{{name}}` of a text: what stands before it, its name, what stands behind it.
fn placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("{{")?;
    let (name, after) = rest.split_once("}}")?;
    Some((before, name.trim(), after))
}
