"""C on a device, without the device: compile, run on an emulated core, count."""
