//! The catalogue: pushed only if the functions could read it.

use crate::{Fault, Operator, parameter};
use aws_sdk_ssm::types::ParameterType;
use domain::catalogue::Catalogue;

/// The parameter that holds it.
pub(crate) const NAME: &str = "CATALOGUE";

/// SSM's limit for a standard parameter, in bytes.
const LONGEST: usize = 4096;

impl Operator {
    /// Checks a catalogue and puts it in the place of the one that there is.
    ///
    /// # Errors
    /// Says what is wrong with it, by the product's id.
    pub async fn push_catalogue(&self, json: &str) -> Result<(), Fault> {
        Catalogue::parse(json).map_err(|unusable| Fault::refused(unusable.to_string()))?;
        if json.len() > LONGEST {
            return Err(Fault::refused(format!(
                "the catalogue has {} bytes, and a parameter takes {LONGEST}: leave blanks and products out",
                json.len()
            )));
        }
        parameter::write(&self.ssm, &self.stage.parameter(NAME), ParameterType::String, json).await
    }

    /// The catalogue as it is, for a check.
    pub(crate) async fn catalogue(&self) -> Result<Option<String>, Fault> {
        parameter::read(&self.ssm, &self.stage.parameter(NAME)).await
    }
}
