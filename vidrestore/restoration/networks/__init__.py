"""Networks other than CodeFormer behind the interface of restorers."""
