"""Former home of `jaxreact.training.monitor`; its command keeps the name that scripts know."""
