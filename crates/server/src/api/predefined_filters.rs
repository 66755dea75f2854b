use natterjack_protocol::predefined_filters::{
    CreatePredefinedFilter, DeletePredefinedFilter, DeletePredefinedFilterResponse, GetPredefinedFilter,
    ListPredefinedFilters, ListPredefinedFiltersResponse, PredefinedFilterResponse, UpdatePredefinedFilter,
};

use super::Call;
use crate::actions::predefined_filters;
use crate::error::Result;

pub(crate) async fn list_predefined_filters(
    call: Call<ListPredefinedFilters>,
) -> Result<ListPredefinedFiltersResponse> {
    let Call { state, caller, .. } = call;
    let predefined_filters = predefined_filters::list_predefined_filters(&state, &caller).await?;
    Ok(ListPredefinedFiltersResponse { predefined_filters })
}

pub(crate) async fn create_predefined_filter(
    call: Call<CreatePredefinedFilter>,
) -> Result<PredefinedFilterResponse> {
    let Call { state, caller, body, .. } = call;
    let predefined_filter = predefined_filters::create_predefined_filter(&state, &caller, body).await?;
    Ok(PredefinedFilterResponse { predefined_filter })
}

pub(crate) async fn get_predefined_filter(
    call: Call<GetPredefinedFilter>,
) -> Result<PredefinedFilterResponse> {
    let Call { state, caller, path, .. } = call;
    let predefined_filter = predefined_filters::get_predefined_filter(&state, &caller, &path.name).await?;
    Ok(PredefinedFilterResponse { predefined_filter })
}

pub(crate) async fn update_predefined_filter(
    call: Call<UpdatePredefinedFilter>,
) -> Result<PredefinedFilterResponse> {
    let Call { state, caller, path, body, .. } = call;
    let predefined_filter =
        predefined_filters::update_predefined_filter(&state, &caller, &path.name, body).await?;
    Ok(PredefinedFilterResponse { predefined_filter })
}

pub(crate) async fn delete_predefined_filter(
    call: Call<DeletePredefinedFilter>,
) -> Result<DeletePredefinedFilterResponse> {
    let Call { state, caller, path, .. } = call;
    predefined_filters::delete_predefined_filter(&state, &caller, &path.name).await?;
    Ok(DeletePredefinedFilterResponse {})
}
