"""A small diffusion model, fitted to a task's examples, and a teacher that labels what it draws."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__, {"diffusion": "world", "denoise_task": "denoising"})
