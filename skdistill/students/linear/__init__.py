"""Linear models on rounded inputs."""
