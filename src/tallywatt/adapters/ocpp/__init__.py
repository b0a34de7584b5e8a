"""The OCPP gateway: stations speak OCPP-J 1.6 and 2.0.1 over WebSockets; we hear facts in our own words."""
