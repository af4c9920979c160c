//! Settings: every variable a function reads, parsed once at start, all faults reported together.

/// The variables of a function, with the faults found so far.
pub struct Settings<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    faults: Vec<String>,
}

/// What is wrong with a function's settings: one line for each variable, never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the function cannot start: {}", faults.join("; "))]
pub struct Misconfigured {
    faults: Vec<String>,
}

/// Reads a function's configuration from its environment.
///
/// # Errors
/// [`Misconfigured`] names every variable that is missing or wrong, and what it should be.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
pub fn read<T>(parse: impl FnOnce(&mut Settings<'_>) -> T) -> Result<T, Misconfigured> {
    read_from(&|name| std::env::var(name).ok(), parse)
}

/// The same from any source of variables, for tests.
///
/// # Errors
/// As [`read`].
pub fn read_from<T>(
    lookup: &dyn Fn(&str) -> Option<String>,
    parse: impl FnOnce(&mut Settings<'_>) -> T,
) -> Result<T, Misconfigured> {
    let mut settings = Settings { lookup, faults: Vec::new() };
    let parsed = parse(&mut settings);
    if settings.faults.is_empty() {
        Ok(parsed)
    } else {
        Err(Misconfigured { faults: settings.faults })
    }
}

impl Settings<'_> {
    /// A text that must be there. Where it is not, the empty text stands in until all faults are reported.
    pub fn text(&mut self, name: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.faults.push(format!("{name} must be set"));
            String::new()
        })
    }

    /// A text that may be missing or blank.
    pub fn optional(&mut self, name: &str) -> Option<String> {
        (self.lookup)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// `true` or `false`.
    pub fn flag(&mut self, name: &str, default: bool) -> bool {
        match self.optional(name).as_deref() {
            None => default,
            Some("true") => true,
            Some("false") => false,
            Some(_) => {
                self.faults.push(format!("{name} must be true or false"));
                default
            }
        }
    }

    /// A whole number from `least` up.
    pub fn number(&mut self, name: &str, default: u32, least: u32) -> u32 {
        let Some(text) = self.optional(name) else { return default };
        match text.parse() {
            Ok(number) if number >= least => number,
            Ok(_) | Err(_) => {
                self.faults.push(format!("{name} must be a whole number from {least} up"));
                default
            }
        }
    }

    /// Items separated by commas; none where the variable is missing or blank.
    pub fn list(&mut self, name: &str) -> Vec<String> {
        let text = self.optional(name).unwrap_or_default();
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }

    /// Reports a fault that the caller found in a value: `NAME must be …`.
    pub fn fault(&mut self, fault: String) {
        self.faults.push(fault);
    }
}

#[cfg(test)]
mod tests {
    use super::read_from;

    #[test]
    fn all_faults_are_reported_together_and_without_values() {
        let lookup = |name: &str| match name {
            "FLAG" => Some("perhaps-secret".to_owned()),
            "NUMBER" => Some("0".to_owned()),
            "BLANK" => Some("  ".to_owned()),
            _ => None,
        };
        let misconfigured = read_from(&lookup, |settings| {
            settings.flag("FLAG", true);
            settings.number("NUMBER", 1, 1);
            settings.text("BLANK");
        })
        .unwrap_err()
        .to_string();
        assert_eq!(
            misconfigured,
            "the function cannot start: FLAG must be true or false; NUMBER must be a whole number from 1 up; BLANK must be set"
        );
    }
}
