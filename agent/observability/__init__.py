"""What is seen from outside: traces, logs, what a request used, whether the service is ready."""
