"""What HTTP itself says: header fields with weights, content negotiation, conditional requests, forms."""
