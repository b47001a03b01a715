"""HTTP itself: connections, header fields, content negotiation, conditional requests, problem documents, logging."""
