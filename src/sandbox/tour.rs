//! What the walk through the world needs: an image that is not in its registry yet, and where a layer of it will lie.
use super::{
    registry::Image,
    world::{IMAGES, Sandbox, SandboxError},
};
use std::path::PathBuf;

/// Where the layout lies in the sandbox's directory.
const LAYOUT: &str = "public/tour";

impl Sandbox {
    /// Writes an image for two platforms as an OCI layout; gives its directory, and the file in which the registry of a world
    /// that is kept will have its first layer.
    ///
    /// # Errors
    /// [`SandboxError`]: it cannot be written, or was before.
    pub fn image_to_push(&self) -> Result<(PathBuf, PathBuf), SandboxError> {
        let image = Image::about("an image for a walk through content trust", &["amd64", "arm64"]);
        let layout = self.path().join(LAYOUT);
        let layer = image.write(&layout).map_err(|e| SandboxError::files(&layout, e))?;
        Ok((layout, self.path().join(IMAGES).join("blobs").join(layer.digits())))
    }
}
