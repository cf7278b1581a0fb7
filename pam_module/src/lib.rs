//! pam_countersign.so: the PAM door.
