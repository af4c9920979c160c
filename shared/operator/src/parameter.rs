//! The stage's parameters in SSM, read and written one by one. Nothing here is printed or kept.

use crate::Fault;
use aws_sdk_ssm::Client;
use aws_sdk_ssm::operation::get_parameter::GetParameterError;
use aws_sdk_ssm::types::{Parameter, ParameterType};

/// Reads a parameter, decrypted; `None` where there is none, or a blank one.
pub(crate) async fn read(ssm: &Client, name: &str) -> Result<Option<String>, Fault> {
    Ok(look_at(ssm, name).await?.and_then(|parameter| parameter.value))
}

/// Looks at a parameter with all that SSM says of it; `None` where there is none, or a blank one, as
/// the functions have it. It is decrypted: nothing else shows that it is blank.
pub(crate) async fn look_at(ssm: &Client, name: &str) -> Result<Option<Parameter>, Fault> {
    match ssm.get_parameter().name(name).with_decryption(true).send().await {
        Ok(found) => Ok(found.parameter.filter(holds_something)),
        Err(error) => {
            let missing = error.as_service_error();
            if missing.is_some_and(GetParameterError::is_parameter_not_found) {
                return Ok(None);
            }
            Err(Fault::aws("read a parameter of the stage", &error))
        }
    }
}

fn holds_something(parameter: &Parameter) -> bool {
    parameter.value().is_some_and(|value| !value.trim().is_empty())
}

/// Writes a parameter, over what is there.
pub(crate) async fn write(
    ssm: &Client,
    name: &str,
    kind: ParameterType,
    value: &str,
) -> Result<(), Fault> {
    let written = ssm.put_parameter().name(name).r#type(kind).value(value).overwrite(true);
    let written = written.send().await;
    written.map(|_| ()).map_err(|error| Fault::aws("write a parameter of the stage", &error))
}
