"""Log in to a Django site by face."""
