"""What fills virtual environments from their locks; only the standard library, because it runs first."""
