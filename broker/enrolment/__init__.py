"""Who is admitted: how an officer's keys are made. The bus's own credentials come here with admission."""
