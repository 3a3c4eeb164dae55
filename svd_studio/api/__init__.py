"""The doors of the window: who may ask, what they may ask for, and our own routes beside Gradio's."""

from svd_studio.api.connections import limit_connections
from svd_studio.api.door import admitting
from svd_studio.api.environment import clean_environment, give_back_large_blocks
from svd_studio.api.guard import Guard
from svd_studio.api.hosts import Hosts
from svd_studio.api.passwords import Doorkeeper, new_password
from svd_studio.api.routes import routes

__all__ = [
    "Doorkeeper",
    "Guard",
    "Hosts",
    "admitting",
    "clean_environment",
    "give_back_large_blocks",
    "limit_connections",
    "new_password",
    "routes",
]
