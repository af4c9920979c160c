//! What an update changes of an item, gathered before it is sent.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;

/// What is set and what is removed; each attribute goes by its own name.
#[derive(Default)]
pub(crate) struct Changes {
    sets: Vec<(&'static str, AttributeValue)>,
    removes: Vec<&'static str>,
}

impl Changes {
    pub(crate) fn set(mut self, name: &'static str, value: AttributeValue) -> Self {
        self.sets.push((name, value));
        self
    }

    pub(crate) fn remove(mut self, name: &'static str) -> Self {
        self.removes.push(name);
        self
    }

    /// Sets what there is a value for.
    pub(crate) fn set_if(self, name: &'static str, value: Option<AttributeValue>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self,
        }
    }

    /// Sets what there is a value for, and removes what there is none for.
    pub(crate) fn set_or_remove(self, name: &'static str, value: Option<AttributeValue>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self.remove(name),
        }
    }

    /// The update that makes these changes. Names stand behind `#`: some are reserved.
    pub(crate) fn apply(self, mut update: UpdateItemFluentBuilder) -> UpdateItemFluentBuilder {
        let (mut sets, mut removes) = (Vec::new(), Vec::new());
        for (name, value) in self.sets {
            sets.push(format!("#{name} = :{name}"));
            update = update
                .expression_attribute_names(format!("#{name}"), name)
                .expression_attribute_values(format!(":{name}"), value);
        }
        for name in self.removes {
            removes.push(format!("#{name}"));
            update = update.expression_attribute_names(format!("#{name}"), name);
        }
        let clauses = [("SET", sets), ("REMOVE", removes)].into_iter();
        let clauses: Vec<String> = clauses
            .filter(|(_, parts)| !parts.is_empty())
            .map(|(clause, parts)| format!("{clause} {}", parts.join(", ")))
            .collect();
        update.update_expression(clauses.join(" "))
    }
}
