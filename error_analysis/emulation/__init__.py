"""An Algorithm run operation by operation, in any format, and the exact result beside it."""
