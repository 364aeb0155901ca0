"""Record what happened: the audit log of face events, their signals, and the mails to users."""
