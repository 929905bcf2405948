//! The fields of a request, each read or refused by name.

use serde_json::Value;

/// The members of one request.
pub(super) struct Fields<'a>(&'a Value);

impl<'a> Fields<'a> {
    pub(super) fn of(request: &'a Value) -> Self {
        Self(request)
    }

    pub(super) fn get(&self, name: &str) -> Result<&'a Value, String> {
        self.0.get(name).ok_or_else(|| format!("the request has no `{name}`"))
    }

    pub(super) fn text(&self, name: &str) -> Result<&'a str, String> {
        self.get(name)?.as_str().ok_or_else(|| format!("`{name}` is not a string"))
    }

    pub(super) fn list(&self, name: &str) -> Result<&'a [Value], String> {
        self.get(name)?.as_array().map(Vec::as_slice).ok_or_else(|| format!("`{name}` is not a list"))
    }

    pub(super) fn number(&self, name: &str) -> Result<u64, String> {
        self.get(name)?.as_u64().ok_or_else(|| format!("`{name}` is not a number of 64 bits without sign"))
    }

    pub(super) fn size(&self, name: &str) -> Result<usize, String> {
        usize::try_from(self.number(name)?).map_err(|_| format!("`{name}` is too large"))
    }

    pub(super) fn bytes(&self, name: &str) -> Result<Vec<u8>, String> {
        bytes(self.get(name)?).map_err(|why| format!("`{name}` {why}"))
    }

    pub(super) fn array<const N: usize>(&self, name: &str) -> Result<[u8; N], String> {
        let bytes = self.bytes(name)?;
        let have = bytes.len();
        bytes.try_into().map_err(|_| format!("`{name}` has {have} bytes where {N} are wanted"))
    }

    pub(super) fn list_of_bytes(&self, name: &str) -> Result<Vec<Vec<u8>>, String> {
        self.list(name)?.iter().map(|item| bytes(item).map_err(|why| format!("`{name}` {why}"))).collect()
    }

    /// A domain separation tag: the text itself, as the standards write it.
    pub(super) fn tag(&self) -> Result<&'a [u8], String> {
        self.text("dst").map(str::as_bytes)
    }
}

fn bytes(value: &Value) -> Result<Vec<u8>, String> {
    let text = value.as_str().ok_or("is not a string")?;
    hex::decode(text).map_err(|error| format!("is not hexadecimal: {error}"))
}
