"""Builds, packs and checks the product: wheels, images, the project's own tasks."""
