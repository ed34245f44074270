"""Dialling by Asterisk's manager interface (AMI) over TCP."""
