"""A whole release on one machine: built, signed, published to loopback, installed, run, verified, ended."""
