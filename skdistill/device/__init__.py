"""C on a device, without the device: compile, run on an emulated core, count."""

from skdistill.device.profile import Profile, profile

__all__ = ["Profile", "profile"]
