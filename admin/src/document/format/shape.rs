//! How the parts of a document are declared: what must be said, what may be said, and what is nested.

use serde_json::Value;

/// Something that has an id among its siblings.
pub trait Keyed {
    /// The id.
    fn key(&self) -> &str;
}

/// A member that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The member's name.
    pub name: &'static str,
    /// What it was; null if there was nothing.
    pub before: Value,
    /// What it is to be.
    pub after: Value,
}

/// Members of which a difference is told without what they say.
const HIDDEN: [&str; 2] = ["secret_sha256", "token_sha256"];

/// The difference of a member, if there is one.
pub fn difference<T: PartialEq + serde::Serialize>(
    name: &'static str,
    before: Option<&T>,
    after: &T,
) -> Option<Difference> {
    if before == Some(after) {
        return None;
    }
    let told = |value: Option<&T>| match value.map(serde_json::to_value) {
        Some(Ok(value)) if !value.is_null() && HIDDEN.contains(&name) => Value::from("***"),
        Some(Ok(value)) => value,
        _ => Value::Null,
    };
    let (before, after) = (told(before), told(Some(after)));
    // What was not there and is not there now is no difference.
    (before != after || HIDDEN.contains(&name)).then_some(Difference { name, before, after })
}

/// Whether a value is what it is when nobody says anything.
pub fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Lets parts be read from objects only, where the derived readers would take arrays as well.
macro_rules! object {
    ($($name:ident),+) => {
        $(
            impl serde::Serialize for $name {
                fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                    Self::serialize(self, to)
                }
            }

            impl<'de> serde::Deserialize<'de> for $name {
                fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                    struct Object;
                    impl<'de> serde::de::Visitor<'de> for Object {
                        type Value = $name;

                        fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                            out.write_str("an object")
                        }

                        fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<$name, A::Error> {
                            $name::deserialize(serde::de::value::MapAccessDeserializer::new(map))
                        }
                    }
                    from.deserialize_map(Object)
                }
            }
        )+
    };
}
pub(crate) use object;

/// Declares a part of a document. `required` members are always there and the first is the id; of an `optional` one nothing is changed
/// when it is not there; `nested` ones are parts of their own.
macro_rules! shape {
    (
        $(#[$about:meta])*
        $name:ident {
            required { $(#[$key_about:meta])* $key:ident: String, $($(#[$required_about:meta])* $required:ident: $required_type:ty,)* }
            optional { $($(#[$optional_about:meta])* $optional:ident: $optional_type:ty,)* }
            nested { $($(#[$nested_about:meta])* $nested:ident: $nested_type:ty,)* }
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(deny_unknown_fields, remote = "Self")]
        pub struct $name {
            $(#[$key_about])*
            pub $key: String,
            $($(#[$required_about])* pub $required: $required_type,)*
            $(
                $(#[$optional_about])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $optional: Option<$optional_type>,
            )*
            $(
                $(#[$nested_about])*
                #[serde(default, skip_serializing_if = "crate::document::format::shape::is_default")]
                pub $nested: $nested_type,
            )*
        }

        crate::document::format::shape::object!($name);

        impl $name {
            /// What holds when this is said of what is there: itself, and where it says nothing what was there before. Nested
            /// parts are left out.
            #[must_use]
            pub fn over(&self, before: Option<&Self>) -> Self {
                Self {
                    $key: self.$key.clone(),
                    $($required: self.$required.clone(),)*
                    $($optional: self.$optional.clone().or_else(|| before.and_then(|before| before.$optional.clone())),)*
                    $($nested: Default::default(),)*
                }
            }

            /// The members in which this differs from what was there before, nested parts aside.
            #[must_use]
            pub fn differences(&self, before: Option<&Self>) -> Vec<crate::document::format::shape::Difference> {
                let mut all = Vec::new();
                $(all.extend(crate::document::format::shape::difference(
                    stringify!($required), before.map(|before| &before.$required), &self.$required));)*
                $(all.extend(crate::document::format::shape::difference(
                    stringify!($optional), before.map(|before| &before.$optional), &self.$optional));)*
                all
            }
        }

        impl crate::document::format::shape::Keyed for $name {
            fn key(&self) -> &str {
                &self.$key
            }
        }
    };
}

pub(crate) use shape;
