//! Conditional writes: they land, or their condition does not hold, or nobody knows.

use crate::Unavailable;
use crate::item::Item;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;

/// What became of a conditional write.
pub(crate) enum Written<T> {
    /// It landed.
    Landed(T),
    /// Its condition did not hold. Here is the item that refused it, where that was asked for and
    /// there was one.
    Refused(Option<Item>),
}

/// Tells a write that was refused from one of which nobody knows.
pub(crate) fn written<T, E: Conditional>(
    operation: &'static str,
    sent: Result<T, SdkError<E>>,
) -> Result<Written<T>, Unavailable> {
    match sent {
        Ok(output) => Ok(Written::Landed(output)),
        Err(error) => match error.as_service_error().and_then(Conditional::refused_by) {
            Some(item) => Ok(Written::Refused(item)),
            None => Err(Unavailable::from_sdk(operation, &error)),
        },
    }
}

/// The same, where a refusal means that there is nothing to do, or no more.
pub(crate) fn unless_refused<T, E: Conditional>(
    operation: &'static str,
    sent: Result<T, SdkError<E>>,
) -> Result<(), Unavailable> {
    written(operation, sent).map(|_| ())
}

/// The errors of writes that have a condition.
pub(crate) trait Conditional: ProvideErrorMetadata {
    /// The item whose state refused the write, where its condition is what failed.
    fn refused_by(&self) -> Option<Option<Item>>;
}

impl Conditional for PutItemError {
    fn refused_by(&self) -> Option<Option<Item>> {
        let Self::ConditionalCheckFailedException(failed) = self else { return None };
        Some(whole(failed.item()))
    }
}

impl Conditional for UpdateItemError {
    fn refused_by(&self) -> Option<Option<Item>> {
        let Self::ConditionalCheckFailedException(failed) = self else { return None };
        Some(whole(failed.item()))
    }
}

/// Where there was no item, some engines send an empty one.
fn whole(item: Option<&Item>) -> Option<Item> {
    item.filter(|item| !item.is_empty()).cloned()
}
