//! Parts: values with a name and settings, such as an optimizer, an activation or a metric.
//!
//! A part is written as a plain struct. It becomes a [`Part`] when it is given to a builder: a cheap handle that any
//! fit can share, that prints, compares, parses from its Keras name and goes through serde, also when it comes from a
//! user's own crate. No list of all members stands in the middle: each room keeps a table of its own, and
//! [`register`] adds a row to it at run time.
//!
//! ```
//! use linfa_mlp::optimizer::{Adam, AnyOptimizer};
//!
//! let by_value: AnyOptimizer = Adam::default().into();
//! let by_name: AnyOptimizer = "adam".parse()?;
//! assert_eq!(by_value, by_name);
//! # Ok::<(), linfa_mlp::Error>(())
//! ```

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, RwLock};

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::float::Float;

/// A value with a name and settings. Deriving the super-traits and giving a name is all there is to it; with
/// `#[serde(default, deny_unknown_fields)]` on the struct, its name alone stands for its defaults. One without settings is
/// a unit struct.
pub trait Configured:
    Clone + fmt::Debug + Serialize + DeserializeOwned + Any + Send + Sync + 'static
{
    /// The name in files, tables and `parse`: Keras' name where Keras has one.
    const NAME: &'static str;

    /// Other names that `parse` understands.
    const ALIASES: &'static [&'static str] = &[];

    /// Checks the ranges of the settings, one line for each.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] names the first setting that is outside its range.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// What every part can say of itself, whatever its room.
pub trait Described: fmt::Debug + Send + Sync {
    /// The name in files and tables.
    fn name(&self) -> &'static str;
    /// The settings, as a JSON object.
    fn settings(&self) -> Value;
    /// See [`Configured::check`].
    fn check(&self) -> Result<()>;
    /// The struct itself, to look for a type that is known.
    fn as_any(&self) -> &dyn Any;
}

impl<T: Configured> Described for T {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn settings(&self) -> Value {
        // Settings are structs of numbers, strings and other parts: none of them can fail to become JSON. A unit
        // struct becomes null, and has no settings.
        match serde_json::to_value(self) {
            Ok(Value::Null) | Err(_) => Value::Object(Default::default()),
            Ok(settings) => settings,
        }
    }

    fn check(&self) -> Result<()> {
        Configured::check(self)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A kind of part: the trait its members implement, and the table of those this crate has.
pub trait Room: Sized + Send + Sync + 'static {
    /// The object-safe trait of the room for one number type, for instance `dyn Activation<F>`.
    type Ops<F: Float>: ?Sized + Send + Sync;

    /// What the kind is called in errors: `optimizer`.
    const KIND: &'static str;

    /// The members this crate has.
    fn members() -> &'static [Member<Self>];
}

/// A row of a room's table: a name, and how to build the part from its settings.
pub struct Member<R: Room> {
    name: &'static str,
    aliases: &'static [&'static str],
    build: fn(Value) -> serde_json::Result<Part<R>>,
}

impl<R: Room> Clone for Member<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R: Room> Copy for Member<R> {}

impl<R: Room> Member<R> {
    /// The row of the part `T`.
    #[must_use]
    pub const fn of<T: Configured>() -> Self
    where
        Part<R>: From<T>,
    {
        Member { name: T::NAME, aliases: T::ALIASES, build: |settings| read::<T>(settings).map(Part::from) }
    }

    /// The part's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    fn answers_to(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
}

/// A part from its settings. serde reads a unit struct such as `Accuracy` from null only, so null is tried where there
/// are none.
fn read<T: Configured>(settings: Value) -> serde_json::Result<T> {
    if !settings.is_object() {
        // serde would read a struct from a list, too.
        return Err(serde_json::Error::custom("they are no object"));
    }
    let empty = settings.as_object().is_some_and(serde_json::Map::is_empty);
    serde_json::from_value(settings).or_else(|problem| {
        if empty { serde_json::from_value(Value::Null).map_err(|_| problem) } else { Err(problem) }
    })
}

/// A member of a room, whichever it is: a shared handle on a plain value.
pub struct Part<R: Room> {
    described: Arc<dyn Described>,
    single: Arc<R::Ops<f32>>,
    double: Arc<R::Ops<f64>>,
}

impl<R: Room> Part<R> {
    /// Puts a part together from three handles on the same value; each room does it in its `From`.
    #[doc(hidden)]
    pub fn assemble(
        described: Arc<dyn Described>,
        single: Arc<R::Ops<f32>>,
        double: Arc<R::Ops<f64>>,
    ) -> Self {
        Part { described, single, double }
    }

    /// The name in files and tables.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.described.name()
    }

    /// The settings, as a JSON object.
    #[must_use]
    pub fn settings(&self) -> Value {
        self.described.settings()
    }

    /// Checks the ranges of the settings.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] names the first setting that is outside its range.
    pub fn check(&self) -> Result<()> {
        self.described.check()
    }

    /// The value itself, when it is a `T`.
    #[must_use]
    pub fn downcast_ref<T: 'static>(&self) -> Option<&T> {
        self.described.as_any().downcast_ref()
    }

    /// The operations for the number type `F`.
    #[must_use]
    pub fn ops<F: Float>(&self) -> &R::Ops<F> {
        F::ops(self)
    }

    pub(crate) fn single(&self) -> &R::Ops<f32> {
        &self.single
    }

    pub(crate) fn double(&self) -> &R::Ops<f64> {
        &self.double
    }

    /// The part of that name with those settings; an empty object stands for its defaults.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownPart`] for a name nobody registered, [`Error::PartSettings`] for settings it does not have,
    /// [`Error::Parameter`] for one outside its range.
    pub fn build(name: &str, settings: Value) -> Result<Self> {
        let built_in = R::members().iter().find(|member| member.answers_to(name)).copied();
        let member = built_in.or_else(|| registered::<R>(name));
        let Some(member) = member else {
            return Err(Error::UnknownPart {
                room: R::KIND,
                name: name.into(),
                known: names::<R>().join(", "),
            });
        };
        let part = (member.build)(settings).map_err(|source| Error::PartSettings {
            room: R::KIND,
            name: name.into(),
            source,
        })?;
        part.check()?;
        Ok(part)
    }
}

impl<R: Room> Clone for Part<R> {
    fn clone(&self) -> Self {
        Part {
            described: Arc::clone(&self.described),
            single: Arc::clone(&self.single),
            double: Arc::clone(&self.double),
        }
    }
}

impl<R: Room> fmt::Debug for Part<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.described.fmt(f)
    }
}

/// The name, and in brackets the settings that are not the defaults: `adam(learning_rate=0.01)`.
impl<R: Room> fmt::Display for Part<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = Vec::new();
        if let Value::Object(settings) = self.settings() {
            for (key, value) in &settings {
                // A default is what comes back when the setting is left out.
                let mut others = settings.clone();
                others.remove(key);
                let without = Self::build(self.name(), Value::Object(others)).map(|part| part.settings());
                if !without.is_ok_and(|settings| settings.get(key) == Some(value)) {
                    shown.push(format!("{key}={}", brief(value)));
                }
            }
        }
        if shown.is_empty() {
            f.pad(self.name())
        } else {
            f.pad(&format!("{}({})", self.name(), shown.join(", ")))
        }
    }
}

/// A setting in few characters: a part inside a part shows its name and settings without their JSON dress.
fn brief(value: &Value) -> String {
    match value {
        Value::Object(map) => match map.get("name") {
            Some(Value::String(name)) => {
                let inner: Vec<String> =
                    map.iter().filter(|(key, _)| *key != "name").map(|(_, value)| brief(value)).collect();
                if inner.is_empty() { name.clone() } else { format!("{name}({})", inner.join(", ")) }
            }
            _ => value.to_string(),
        },
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Equal when name and settings are.
impl<R: Room> PartialEq for Part<R> {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name() && self.settings() == other.settings()
    }
}

impl<R: Room> FromStr for Part<R> {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::build(name, Value::Object(Default::default()))
    }
}

/// As text `{"name": "adam", "learning_rate": 0.001, …}`; in binary the name and the same settings as a JSON string.
impl<R: Room> Serialize for Part<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let settings = self.settings();
        if serializer.is_human_readable() {
            let mut map = serde_json::Map::new();
            map.insert("name".into(), self.name().into());
            if let Value::Object(settings) = settings {
                map.extend(settings);
            }
            map.serialize(serializer)
        } else {
            (self.name(), settings.to_string()).serialize(serializer)
        }
    }
}

impl<'de, R: Room> Deserialize<'de> for Part<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let (name, settings) = if deserializer.is_human_readable() {
            match Value::deserialize(deserializer)? {
                Value::String(name) => (name, Value::Object(Default::default())),
                Value::Object(mut map) => match map.remove("name") {
                    Some(Value::String(name)) => (name, Value::Object(map)),
                    _ => return Err(D::Error::missing_field("name")),
                },
                _ => {
                    return Err(D::Error::custom(format!("expected the name or settings of an {}", R::KIND)));
                }
            }
        } else {
            let (name, settings) = <(String, String)>::deserialize(deserializer)?;
            (name, serde_json::from_str(&settings).map_err(D::Error::custom)?)
        };
        Part::build(&name, settings).map_err(D::Error::custom)
    }
}

/// The registered parts of all rooms, by kind and name.
static REGISTERED: RwLock<BTreeMap<(&'static str, &'static str), Box<dyn Any + Send + Sync>>> =
    RwLock::new(BTreeMap::new());

/// Makes a part of a user's own crate known by its name, so that `parse`, configurations and saved runs find it.
///
/// Registering a type again changes nothing; the name of a part that this crate has cannot be taken.
///
/// # Errors
///
/// [`Error::Parameter`] when the name is taken by a part of this crate.
pub fn register<R: Room, T: Configured>() -> Result<()>
where
    Part<R>: From<T>,
{
    let taken = R::members().iter().any(|member| member.answers_to(T::NAME));
    crate::error::check("name", T::NAME, !taken, &format!("no name of a built-in {}", R::KIND))?;
    let mut table = REGISTERED.write().unwrap_or_else(std::sync::PoisonError::into_inner);
    table.insert((R::KIND, T::NAME), Box::new(Member::<R>::of::<T>()));
    Ok(())
}

fn registered<R: Room>(name: &str) -> Option<Member<R>> {
    let table = REGISTERED.read().unwrap_or_else(std::sync::PoisonError::into_inner);
    table.iter().find(|((kind, key), _)| *kind == R::KIND && *key == name)?.1.downcast_ref().copied()
}

/// The names a room knows: those of this crate in the order of its table, then the registered ones.
#[must_use]
pub fn names<R: Room>() -> Vec<&'static str> {
    let table = REGISTERED.read().unwrap_or_else(std::sync::PoisonError::into_inner);
    let registered = table.keys().filter(|(kind, _)| *kind == R::KIND).map(|(_, name)| *name);
    R::members().iter().map(Member::name).chain(registered).collect()
}
